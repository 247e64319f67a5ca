"""What a command that fails prints, and the exit code it leaves.

Exit codes: 0 done, 1 the input was at fault, 2 usage, 70 an internal error, 130 interrupted (143 by
SIGTERM, 129 by SIGHUP), 141 nobody reads what is printed (`| head`).
"""

import errno
import sys
from argparse import Namespace
from collections.abc import Callable

from legoc.commands.messages import report
from legoc.commands.streams import UNREAD, discard_unread


def ended(run: Callable[[Namespace], int], arguments: Namespace) -> int:
    """Run a command to its end, whichever that is, and give the exit code."""
    try:
        return run(arguments)
    except KeyboardInterrupt as stop:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        # A signal that docker or SLURM sent has an exit code of its own: 143 for SIGTERM.
        return getattr(stop, "status", 130)
    except BrokenPipeError:
        discard_unread()
        return UNREAD
    except Exception as error:
        return answer(error)


def delivered(code: int) -> int:
    """Bring to its reader what a command printed; the exit code of the process."""
    if sys.stdout is None or sys.stdout.closed:
        # A language server closes it when the editor has gone.
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = UNREAD
    except OSError as error:
        from legoc.language.diagnosing.failures import OUTPUT, unwritable

        report([unwritable(error.errno or errno.EIO, OUTPUT)])
        code = code or 1
    discard_unread()
    return code


def answer(error: Exception) -> int:
    """What a failed command prints: a diagnostic for a user's mistake, a report for one of ours."""
    from legoc.language.diagnosing.failures import diagnosed

    found = diagnosed(error)
    if found:
        report(found)
        return 1
    import traceback

    traceback.print_exception(error)
    print(
        "\ninternal error: this is a defect of legoc, not of your input. Please report the "
        "lines above together with the command.",
        file=sys.stderr,
    )
    return 70
