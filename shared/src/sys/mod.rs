//! System calls behind safe functions: the only place in Brigade where `unsafe` may stand. Each
//! block argues why it is sound. No policy lives here.

#![allow(unsafe_code)]
