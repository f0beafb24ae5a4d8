"""Speech recognition: weights, voice activity, windows and the engines that decode them."""
