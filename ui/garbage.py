"""Keep what stays for good out of Streamlit's collection of garbage, which follows every run of a page."""

import gc

MOST_WATCHED = 10_000  # objects that have outlived a collection: about 5 ms of every run of a page


def spare_what_stays() -> None:
    """Take libraries, results and pictures out of the collections to come, once many objects have come to stay.

    A full collection looks at every object, so it would take longer than the page itself. What has become garbage since
    the last time is collected first: nothing dead is spared for long.
    """
    if len(gc.get_objects(generation=2)) > MOST_WATCHED:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
