//! Layers as users see them.

mod lora;
