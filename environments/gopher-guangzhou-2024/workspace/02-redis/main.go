// Lab 02: Redis over plain TCP.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// command writes words as RESP has it, and returns the first line of the answer.
func command(conn net.Conn, answers *bufio.Reader, words ...string) (string, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := conn.Write([]byte(request.String())); err != nil {
		return "", err
	}
	line, err := answers.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "-") {
		return "", fmt.Errorf("redis: %s", line[1:])
	}
	return strings.TrimPrefix(line, "+"), nil
}

func main() {
	address, err := url.Parse(os.Getenv("REDIS_URL"))
	if err != nil || address.Host == "" {
		log.Fatal("REDIS_URL is not set")
	}
	conn, err := net.DialTimeout("tcp", address.Host, 5*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)

	if password, ok := address.User.Password(); ok {
		if _, err := command(conn, answers, "AUTH", password); err != nil {
			log.Fatal(err)
		}
	}
	// 任务：发送 PING 并打印回答 · To do: send PING and print the answer
	fmt.Println("?")
}
