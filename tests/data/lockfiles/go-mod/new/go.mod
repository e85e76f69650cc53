module example.com/shop

go 1.19

require (
	example.com/new v0.1.0
	example.com/text/v2 v2.1.0
	example.com/yaml v1.3.0
)
