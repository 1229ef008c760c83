package profile

// FromCommand lets a test shorten the limit.
var FromCommand = fromCommand
