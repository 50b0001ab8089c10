"""The results that the copy of the app in front of the browser ships."""

from tests.builders import make_result
from tests.studies import make_recovery, make_study

SST2 = make_result()
COLA = make_result(
    task="cola",
    own_cka=lambda amount, point, size: 1 - 0.9713 * amount * (point + 1) / size,
)
WRITTEN = make_result(
    source="written",
    own_cka=lambda amount, point, size: 1 - amount * point / size,
)  # layer 1 lasts
STUDY = make_study(num_layers=6)
RECOVERY = make_recovery()
SHIPPED = (SST2, COLA, WRITTEN)
