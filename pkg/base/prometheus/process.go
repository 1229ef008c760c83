package prometheus

// Process is what the process takes of its system, under the names that every program has
// for it. What a system does not tell is left out.
func Process() []*Family {
	all := []*Family{
		NewFamily(Counts, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
		NewFamily(Measures, "process_max_fds", "Maximum number of open file descriptors."),
		NewFamily(Counts, "process_network_receive_bytes_total", "Number of bytes received by the process over the network."),
		NewFamily(Counts, "process_network_transmit_bytes_total", "Number of bytes sent by the process over the network."),
		NewFamily(Measures, "process_open_fds", "Number of open file descriptors."),
		NewFamily(Measures, "process_resident_memory_bytes", "Resident memory size in bytes."),
		NewFamily(Measures, "process_start_time_seconds", "Start time of the process since unix epoch in seconds."),
		NewFamily(Measures, "process_virtual_memory_bytes", "Virtual memory size in bytes."),
		NewFamily(Measures, "process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes."),
	}
	told := process()
	for _, f := range all {
		if v, is := told[f.Name[len("process_"):]]; is {
			f.Add(v)
		}
	}
	return all
}
