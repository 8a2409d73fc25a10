"""The smallest model there is, as a file's bytes, to rehearse with and to try the cage with."""

# One Relu of one number: onnx.helper's own bytes, because onnx itself is slow to load.
TINY_MODEL = (
    b'\x08\x08:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n'
    b"\x02\x08\x01b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x11"
)
