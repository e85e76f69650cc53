module example.com/shop

go 1.19

require (
	example.com/old v0.0.0-20240102030405-abcdefabcdef
	example.com/text/v2 v2.0.1
	example.com/yaml v1.2.0
)
