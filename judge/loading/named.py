"""What the names of packaged judges mean: other weights, another tokenizer or config make another judge."""

#: Name → its identities: in float32 on any device, in bfloat16 on a CPU and on a GPU.
NAMED = {
    "pocket": (
        "f84803383af25741def4073c47c938c97e85e13530b8a17bf7575132dc5ff9ef",
        "8de2798ffc40e4a2a98ce4d2af49239933c4921bb6f0b88082916f783dcfb0c5",
        "c589bb131beb4881ae4b5c846e0fdedff098aba7792be63a949e0aa5c8d61d76",
    ),
    "pocket-backward": (
        "119fdb863a10b1db98108038d4e3d012f3a980302b512c390075d4c3f4dfc1d5",
        "3582eed72b020e0902b2591ba49137c39d7d031a66e5f169839cf0ba53dd17e5",
        "e15dc91e51f4ccd5aaf67bfb383d881bb370e79cb24a629270422acc339201c8",
    ),
    "smollm2-135m": (
        "7ebc3e3a9e16cb6e8885763a6d109591fb635fdf812129302fe006fc4b179a37",
        "b319d6711483bc8d3f752cbe40be5d40e9240a3c1b0928db19464545ae484c68",
        "8de008c29ac23841930cfb7d4a733ff2c49deaa36e5bfdb93ec13764107cae22",
    ),
}
