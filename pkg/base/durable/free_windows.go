package durable

import "golang.org/x/sys/windows"

// Free is how many bytes may still be written below dir.
func Free(dir string) (uint64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var bytes uint64
	return bytes, windows.GetDiskFreeSpaceEx(path, &bytes, nil, nil)
}
