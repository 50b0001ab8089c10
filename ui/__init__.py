"""What several pages share; Streamlit lives here, in the pages and in app.py alone."""
