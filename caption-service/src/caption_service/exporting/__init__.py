"""`caption-export`: a model as a SavedModel for TensorFlow Serving and Triton."""
