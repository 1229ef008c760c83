package prometheus

import "golang.org/x/sys/windows"

// process is what Windows tells, by the name without process_.
func process() map[string]float64 {
	told := map[string]float64{}
	var started, ended, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &started, &ended, &kernel, &user) == nil {
		told["start_time_seconds"] = float64(started.Nanoseconds()) / 1e9
		told["cpu_seconds_total"] = (hundreds(kernel) + hundreds(user)) / 1e7
	}
	return told
}

// hundreds are the hundreds of nanoseconds that a span of time has.
func hundreds(span windows.Filetime) float64 {
	return float64(uint64(span.HighDateTime)<<32 | uint64(span.LowDateTime))
}
