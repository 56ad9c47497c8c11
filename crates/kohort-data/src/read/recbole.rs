//! RecBole.
