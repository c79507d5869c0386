// A link inside the app: no page load unless asked for (sign-in, files, jumps within the page). Marks itself when it is where we are; "/a" and "/a/" are the same place.
import { Link, useLocation } from "react-router";

const plain = (path) => path.split(/[?#]/)[0].replace(/\/+$/, "") || "/";

export function RouteLink({ to = "/", exact = false, fullLoad = false, children, ...rest }) {
  const here = plain(useLocation().pathname);
  const there = plain(to);
  const current = here === there || (!exact && there !== "/" && here.startsWith(`${there}/`));
  return <Link to={to} reloadDocument={fullLoad} aria-current={current ? "page" : undefined} {...rest}>{children}</Link>;
}
