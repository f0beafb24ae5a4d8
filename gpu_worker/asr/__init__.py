"""Speech recognition: weights, voice activity detection, windows, and the engines that decode them."""
