//! Black-box tests: they drive the binary, its signals, its sockets and its log, and count every
//! request. Each wait is for a state that the program announces; each end proves that nothing
//! stays behind.

mod support;

mod access_log;
mod activation;
mod admin;
mod admin_trouble;
mod balance;
mod boot;
mod check;
mod connections;
mod container;
mod correctness;
mod crash;
mod elastic;
mod exec;
mod forwarded;
mod hopeless;
mod http2;
mod init;
mod kubernetes;
mod limits;
mod limits_http;
mod logging;
mod manager;
mod memory;
mod offload;
mod orphaned;
mod privileges;
mod proxy_protocol;
mod recycling;
mod refused;
mod reload;
mod scale;
mod servers;
mod slow_crowd;
mod static_files;
mod stop;
mod store;
mod store_stale;
mod store_storm;
mod stuck;
mod tls;
mod tls_files;
mod tls_scan;
mod transactions;
mod upgrade;
mod upgrade_meanwhile;
mod upgrade_refused;
mod upgrade_rolled_back;
mod watchdog;
