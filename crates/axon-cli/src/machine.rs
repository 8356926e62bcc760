//! What the program runs on: figures mean nothing without it.

use std::fmt;
use std::fs;
use std::thread;

/// The facts that figures depend on most.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
}

impl Machine {
    /// This machine, as far as `/proc` tells.
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
        Self {
            cpu: model_name(&read("/proc/cpuinfo")).unwrap_or(std::env::consts::ARCH).to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: if kernel.is_empty() { "unknown".into() } else { kernel },
        }
    }
}

fn model_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.cores == 1 { "" } else { "s" };
        write!(f, "{}, {} core{plural}, Linux {}", self.cpu, self.cores, self.kernel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_model() {
        assert_eq!(model_name("processor\t: 0\nmodel name\t: Fast 9000\n"), Some("Fast 9000"));
        assert_eq!(model_name("processor\t: 0\n"), None);
    }
}
