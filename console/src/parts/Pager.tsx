import Pagination from "@cloudscape-design/components/pagination";
import type { Pages } from "./usePages";

export function Pager({ pages }: { pages: Pages<unknown> }) {
  return (
    <Pagination
      currentPageIndex={pages.number}
      pagesCount={pages.number + (pages.hasNext ? 1 : 0)}
      openEnd={pages.hasNext}
      ariaLabels={{
        nextPageLabel: "Next page",
        previousPageLabel: "Previous page",
        pageLabel: (page) => `Page ${page}`,
      }}
      onChange={({ detail }) => pages.to(detail.currentPageIndex)}
    />
  );
}
