//! Starts control planes and holds them until it is killed, for tests of what becomes of them then.
//!
//! `sandbox-holder start DIR` starts one control plane; `sandbox-holder up ROOT NAME` starts a
//! detached sandbox of one cluster and ends. Both are bare and write `ready` when they are done.
//! `sandbox-holder parts` only looks for the parts, and writes the error and its hint if it fails.

use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use kubectl_pivot_tests::parts;
use sandbox::{ControlPlane, ControlPlaneOptions, Parts, Sandboxes, UpOptions};
use support::journal::Events;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["start", dir] => {
            let parts = Parts::resolve(&parts::options(), &Events::none()).await?;
            let options = ControlPlaneOptions { bare: true, ..ControlPlaneOptions::default() };
            let plane = ControlPlane::start(dir, &parts, options, &Events::none()).await?;
            ready()?;
            tokio::time::sleep(Duration::from_secs(600)).await;
            plane.stop().await;
        }
        ["up", root, name] => {
            let options = UpOptions {
                name: name.into(),
                clusters: NonZeroUsize::MIN,
                bare: true,
                controller_manager: false,
                ..UpOptions::default()
            };
            Sandboxes::at(root).up(&options, &Events::none()).await?;
            ready()?;
        }
        ["parts"] => {
            if let Err(error) = Parts::resolve(&parts::options(), &Events::none()).await {
                writeln!(std::io::stdout(), "{error}\n{}", error.hint().unwrap_or_default())?;
                return Err("no parts".into());
            }
            ready()?;
        }
        _ => return Err("usage: sandbox-holder start DIR | up ROOT NAME | parts".into()),
    }
    Ok(())
}

fn ready() -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(b"ready\n")?;
    stdout.flush()
}
