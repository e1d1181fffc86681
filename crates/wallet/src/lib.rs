//! The books in SQL: assets, accounts, postings, balances, and their routes
