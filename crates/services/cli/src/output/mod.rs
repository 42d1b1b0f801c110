//! How results are shown.

pub(crate) mod application;
pub(crate) mod difference;
pub(crate) mod documents;
pub(crate) mod moment;
pub(crate) mod states;
pub(crate) mod table;
pub(crate) mod tree;
