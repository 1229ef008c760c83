//go:build unix

package term

import "golang.org/x/sys/unix"

// pixels is how wide the screen of a terminal is, in pixels; 0: it does not tell.
func pixels(fd int) (wide int) {
	size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Xpixel)
}
