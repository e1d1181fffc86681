//! Accounts, device keys, challenge login and tokens
