//! The `annal` binary.

use std::process::ExitCode;

use api::cli::Cli;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    api::cli::run(Cli::parse()).await
}
