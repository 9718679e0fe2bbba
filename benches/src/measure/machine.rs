//! On what the figures were taken.

use std::fs;

/// One line: processor, number of CPUs, memory, kernel.
pub(crate) fn machine() -> String {
    let processor = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".into());
    let memory = line_of("/proc/meminfo", "MemTotal")
        .and_then(|kib| kib.split(' ').next()?.parse::<u64>().ok())
        .map_or(String::new(), |kib| {
            format!(", {} GiB", kib.div_ceil(1024 * 1024))
        });
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let virtual_ = match line_of("/proc/cpuinfo", "flags") {
        Some(flags) if flags.split(' ').any(|flag| flag == "hypervisor") => " (virtual machine)",
        _ => "",
    };
    format!(
        "{processor}, {cpus} CPUs{memory}{virtual_}, Linux {}",
        kernel.trim()
    )
}

fn line_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
