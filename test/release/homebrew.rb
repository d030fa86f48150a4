# Made of a template; the template is test/release/homebrew.rb of github.com/kubectl-oidc-login/kubectl-oidc-login.
class KubectlOidcLogin < Formula
  desc "Log in to Kubernetes with OpenID Connect"
  homepage "https://github.com/kubectl-oidc-login/kubectl-oidc-login"
  version "{{ version }}"
  license "Apache-2.0"

  on_macos do
    on_intel do
      url "https://github.com/kubectl-oidc-login/kubectl-oidc-login/releases/download/v{{ version }}/kubectl-oidc_login_darwin_amd64.tar.gz"
      sha256 "{{ sha256 "kubectl-oidc_login_darwin_amd64.tar.gz" }}"
    end
    on_arm do
      url "https://github.com/kubectl-oidc-login/kubectl-oidc-login/releases/download/v{{ version }}/kubectl-oidc_login_darwin_arm64.tar.gz"
      sha256 "{{ sha256 "kubectl-oidc_login_darwin_arm64.tar.gz" }}"
    end
  end

  on_linux do
    on_intel do
      url "https://github.com/kubectl-oidc-login/kubectl-oidc-login/releases/download/v{{ version }}/kubectl-oidc_login_linux_amd64.tar.gz"
      sha256 "{{ sha256 "kubectl-oidc_login_linux_amd64.tar.gz" }}"
    end
    on_arm do
      url "https://github.com/kubectl-oidc-login/kubectl-oidc-login/releases/download/v{{ version }}/kubectl-oidc_login_linux_arm64.tar.gz"
      sha256 "{{ sha256 "kubectl-oidc_login_linux_arm64.tar.gz" }}"
    end
  end

  def install
    bin.install "kubectl-oidc_login", "kubectl_complete-oidc_login"
    bash_completion.install "completions/kubectl-oidc_login.bash" => "kubectl-oidc_login"
    zsh_completion.install "completions/kubectl-oidc_login.zsh" => "_kubectl-oidc_login"
    fish_completion.install "completions/kubectl-oidc_login.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kubectl-oidc_login version")
  end
end
