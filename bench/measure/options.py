"""The arguments that all comparisons share."""

import argparse
import pathlib
import tempfile

from measure.machine import Quiet


def options(about, **defaults):
    """--quick, --folder, and what `defaults` names as (quick, full) pairs."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything: within a minute, and less certain")
    parser.add_argument("--folder", help="where data is written, on the disk that is to be measured (default: /tmp)")
    for name, (quick, full) in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(full),
                            help=f"{full}; {quick} with --quick")
    chosen = parser.parse_args()
    for name, (quick, full) in defaults.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else full)
    chosen.quiet = Quiet(2 if chosen.quick else 20)
    return chosen


def scratch(chosen):
    """A folder for one run, which goes away with it."""
    made = tempfile.TemporaryDirectory(prefix="ekiden-bench-", dir=chosen.folder)
    return made, pathlib.Path(made.name)
