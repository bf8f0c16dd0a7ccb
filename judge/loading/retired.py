"""Packaged judges of earlier versions. Their weights are not in the package any longer."""

#: identity → the name it had
RETIRED = {
    # trained on in November 2026, in the frame in which games show a hint
    "8864f94996923d1c44102c5db035ad6096b55343995d8732c3c1579f8532e9e1": "pocket",
    "376f8810f3ab95038077b188ec781f5ca5d65afdef19f20fd6d4f46447b9cd93": "pocket",  # in bfloat16
    "acd54f3711a4770a33c9a1eaee1944d0dda3d38fbdf50fc0ec33b28c66f37d3d": "pocket-backward",
    "1c05485cf11577c09ee4500d017128a260e5f2ded022f0cdd4760ebf72662616": "pocket-backward",
}
