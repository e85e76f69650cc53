# frozen_string_literal: true

=begin
VERSION = "1.2.3"
=end
module Acme
  VERSION = '1.2.3' # VERSION = "1.2.3"
  LEFT_VERSION = "1.2.3"
end
