module ciliumship.dev/lab/standin

go 1.24.0
