// Lab 01: a first program.
package main

import "fmt"

func main() {
	// 任务：改成“你好，广州！” · To do: make it "你好，广州！"
	fmt.Println("hello")
}
