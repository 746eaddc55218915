//! The binary as people and programs use it: real processes, real sockets, a real data folder.

#![cfg(test)]

mod audit;
mod binary;
mod dev;
mod exit_codes;
mod help;
mod kill;
mod manage;
mod observe;
mod policy;
mod receipt;
mod round_trip;
