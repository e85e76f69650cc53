Gem::Specification.new do |spec|
  spec.name = "acme"
  # spec.version = "1.2.3"
  spec.version = "1.2.3".freeze
  spec.required_ruby_version = "1.2.3"
  spec.add_dependency "left", "1.2.3"
end
