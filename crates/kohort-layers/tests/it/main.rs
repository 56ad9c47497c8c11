//! Layers from outside: values of other libraries, and what users rely on.

mod experts;
mod lora;
