"""The download panel of one result, of two, or of one that cannot be drawn."""

from dataclasses import replace

import streamlit as st

from core.charts.compare import compare_scene
from core.charts.overview import result_scene
from tests.builders import make_result
from ui.exports import offer_exports
from ui.header import page_header

page_header("Downloads")
one, other = (make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), method=method) for method in ("magnitude", "random"))
if "two" in st.query_params:
    offer_exports(compare_scene(one, other, "cls"), one, other)
else:
    scene = result_scene(one, "cls")
    offer_exports(replace(scene, layout=replace(scene.layout, wide="")) if "broken" in st.query_params else scene, one)
