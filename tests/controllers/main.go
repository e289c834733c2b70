// Command controllers lets the rollout controllers' own code ask a running serinus.
//
//	controllers check  <deploy>   load and validate all of deploy/ with their types and rules
//	controllers argo    < spec    run Argo's analysis controller on the shipped templates
//	controllers notify  < spec    send what Argo's notifications send for an object
//	controllers flagger < spec    tick Flagger's canary controller on the shipped Canary
//
// The spec is one JSON object on standard input; results are JSON lines on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "controllers:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "check":
		return check(args[1])
	case len(args) == 1 && args[0] == "argo":
		return argo(os.Stdin)
	case len(args) == 1 && args[0] == "notify":
		return notify(os.Stdin)
	case len(args) == 1 && args[0] == "flagger":
		return flagger(os.Stdin)
	default:
		return fmt.Errorf("use check DEPLOY, argo, notify or flagger, not %q", args)
	}
}

var output sync.Mutex

// tell prints one result as a line.
func tell(result any) {
	line, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}
