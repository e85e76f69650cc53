defmodule Acme.MixProject do
  use Mix.Project

  @version "1.2.3"
  @left "1.2.3"
  @doc """
  version: "1.2.3"
  """
  def project do
    [
      app: :acme,
      # version: "1.2.3"
      version: "1.2.3",
      docs: [version: "1.2.3", separator: ?"],
      deps: deps()
    ]
  end

  defp deps, do: [{:left, "1.2.3"}, {:part, version: "1.2.3"}]
end
