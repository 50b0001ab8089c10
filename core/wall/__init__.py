"""The wall between the server and strangers' bytes: these are read in processes whose memory and time are limited."""
