"""How far something long has come, in one line of the terminal; a line for each quarter where nobody watches."""

from collections.abc import Callable


def bar(stdout) -> Callable[[int, int], None]:
    """A function to call with (done, all). ``stdout`` is a command's."""
    shown = -1
    watched = stdout.isatty()

    def progress(done: int, of: int) -> None:
        nonlocal shown
        percent = done * 100 // of
        if percent // (1 if watched else 25) != shown:
            shown = percent // (1 if watched else 25)
            line = f"  [{'#' * (percent // 4):<25}] {percent:3} %"
            stdout.write(f"\r{line}" if watched else line, ending="" if watched else "\n")
            stdout.flush()
            if watched and done == of:
                stdout.write("")

    return progress
