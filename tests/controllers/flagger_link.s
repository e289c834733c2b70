// Empty on purpose: it lets flagger.go declare a function whose body is linked by name.
