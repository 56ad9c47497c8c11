//! The reproduction: experiments as resumable cells on real data, driven by cargo xtask reproduce
