"""The losses readers are trained with, one file each; all return one value a window or a question, in float32."""
