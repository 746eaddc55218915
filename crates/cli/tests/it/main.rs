//! The binary as people and programs use it: real processes, real sockets, a real data folder.

#![cfg(test)]

mod audit;
mod binary;
mod deploy;
mod dev;
mod exit_codes;
mod fill;
mod help;
mod kill;
mod large;
mod manage;
mod observe;
mod policy;
mod receipt;
mod round_trip;
mod shared;
