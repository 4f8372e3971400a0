"""Makes of the network for the sample styles the file for LiteRT: `python -m tools.lite`.

Its inputs are those of `TransformModel.controlled`: one file serves all styles.
"""

from __future__ import annotations

from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.samples import ENDING, FILE

if __name__ == "__main__":
    TransformModel.read(FILE).export(FILE.with_suffix(ENDING), controls=True)
