"""Runs every scenario, one line each, and ends with `N passed, N failed`."""

import asyncio
import logging
import os
import sys
import traceback

import against_csms
import against_station
from harness import Failed, VERBOSE

HALVES = {"csms": against_csms.scenarios, "cp": against_station.scenarios}
# The longest that a scenario may take, in seconds, on a machine that is busy with other things.
LIMIT = 120


async def outcome(scenario) -> str | None:
    """Why the scenario failed, or nothing."""
    try:
        async with asyncio.timeout(LIMIT):
            await scenario()
    except Failed as failed:
        return str(failed)
    except TimeoutError:
        return f"not over after {LIMIT} s"
    except Exception as error:  # A scenario that breaks has failed; the others still run.
        if VERBOSE:
            traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return None


async def main() -> int:
    only = os.environ.get("ONLY")
    if only is not None and only not in HALVES:
        print(f"ONLY={only}: give csms or cp", file=sys.stderr)
        return 2
    passed = failed = 0
    for half in [only] if only else HALVES:
        for name, scenario in HALVES[half]():
            reason = await outcome(scenario)
            if reason is None:
                passed += 1
                print(f"ok      {name}", flush=True)
            else:
                failed += 1
                print(f"FAILED  {name}: {reason}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    # The package logs every schema violation with a trace; the scenarios report them in one line.
    logging.basicConfig(level=logging.INFO if VERBOSE else logging.CRITICAL)
    sys.exit(asyncio.run(main()))
