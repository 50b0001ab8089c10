"""One further screen a file. Streamlit passes this file over; the import linter needs it."""
