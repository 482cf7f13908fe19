"""Makes the cells that ship with the data package from the file that they are computed from.

python -m etl.microdata.ship SALARIES.csv.gz
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from etl.microdata.feeding import Feeding
from etl.microdata.spool import fingerprint
from etl.microdata.vocabulary import Vocabulary
from etl.salaries import READERS, reduce_files, write_manifest
from etl.settings import Settings
from etl.snapshots import CELLS, MANIFEST, SHIPPED

SOURCE = "aijobs"


def ship(file: Path, data: Path) -> None:
    """Write cells and manifest into the data package: figures, none of the file's rows."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        manifest = reduce_files(READERS[SOURCE], Feeding([file]), Vocabulary(data), made)
        digest = fingerprint(file)
        manifest["snapshot"] = digest[:12]
        manifest["files"] = [{"name": file.name, "sha256": digest, "bytes": file.stat().st_size}]
        write_manifest(made, manifest)
        for name in (CELLS, MANIFEST):
            (data / SHIPPED / name).write_bytes((made / name).read_bytes())


if __name__ == "__main__":
    ship(Path(sys.argv[1]), Settings().data)
