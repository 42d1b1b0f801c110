//! How components listen and how they reach each other: one port for gRPC, gRPC-web and HTTP, plain or TLS; channels
//! over the network, and channels within one process that are the same to whoever uses them.

mod calls;
mod channel;
mod protocols;
mod serve;
mod services;
mod tls;
mod unix;

pub use calls::{Calls, code_name};
pub use channel::{ChannelError, ChannelOptions, ClientIdentity, Trust, connect, connect_as, in_process};
pub use protocols::{ProtocolNames, Protocols, cipher_names};
pub use serve::{Listener, OnPlainText, Peer, https_redirect, serve};
pub use services::{ReflectionError, Services};
pub use tls::{Identity, SelfSigned, TlsError, self_signed};
pub use unix::{connect_unix, serve_unix};
