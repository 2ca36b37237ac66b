"""A web page that runs `.task` bundles in MediaPipe's runtime for browsers. Needs no torch."""
